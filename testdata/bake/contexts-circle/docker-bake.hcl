target "default" { contexts = { o = "target:other" } }
target "other" { contexts = { d = "target:default" } }
