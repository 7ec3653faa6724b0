WHO  = "me"
NAME = "def-${WHO}"
