variable "TAG" { default = "2" }
target "app" { platforms = ["linux/arm64"] }
