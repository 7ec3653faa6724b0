variable "NAME" { default = "abc" }
target "default" { args = { A = "pre-${NAME}" } }
