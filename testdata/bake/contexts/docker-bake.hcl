target "default" {
  contexts = {
    base  = "target:base"
    src   = "../src"
    image = "docker-image://alpine:3.20"
    none  = ""
  }
}
target "base" {
  tags     = ["base"]
  contexts = { tools = "target:tools" }
}
target "tools" {}
