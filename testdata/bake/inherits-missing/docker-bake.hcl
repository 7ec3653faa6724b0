target "base" {}
target "default" { inherits = ["bass"] }
