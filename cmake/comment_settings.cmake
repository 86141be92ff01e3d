# Turns the example configuration INPUT into OUTPUT, in which every setting is a comment: what is
# installed changes nothing, so a default that a later version changes is not held back by it, and
# the data directory is the one that systemd says.
file(READ "${INPUT}" text)
string(REGEX REPLACE "\n([a-z_]+ = )" "\n#\\1" text "${text}")
string(REPLACE "every setting there is, at its default."
  "every setting there is.\n# A line such as `#port = 4000` has the default; take away the # to change it." text "${text}")
file(WRITE "${OUTPUT}" "${text}")
