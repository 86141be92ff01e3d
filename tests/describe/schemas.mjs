// Schemas of a description, as a validator takes them.

import Ajv from "ajv/dist/2020.js";

/// What is not JSON Schema's own means nothing to the validator.
export function schemaCompiler() {
  return new Ajv({ strict: false, allErrors: true, validateFormats: false });
}

/// Compares with schemas of this document, where no object may have members that are not described.
export function validator(document) {
  const ajv = schemaCompiler();
  ajv.addSchema(closed(document), "document");
  return {
    /// What is wrong with the value; empty: nothing.
    problems(pointer, value) {
      const validate = ajv.getSchema(`document#${pointer}`) ??
        ajv.compile({ $ref: `document#${pointer}` });
      return validate(value) ? "" : `${ajv.errorsText(validate.errors)} in ${JSON.stringify(value)}`;
    },
  };
}

/// A reference into the same document, as a pointer from its root.
export function escaped(...parts) {
  return parts.map((part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/// The document, in which every object with described members has no others.
function closed(value) {
  if (Array.isArray(value)) return value.map(closed);
  if (value === null || typeof value !== "object") return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, member]) => [key, closed(member)]));
  if (copy.type === "object" && copy.properties) copy.additionalProperties = false;
  return copy;
}
