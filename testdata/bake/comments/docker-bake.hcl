# hash
// slashes
/* several
   lines */
target "default" { # behind
  tags = [ # in a list
    "a", // one
    /* two */ "b",
  ]
}
