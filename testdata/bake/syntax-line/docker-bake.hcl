target "default" { context = "." target = "x" }
