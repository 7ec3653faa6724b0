variable "REPO" { default = "me" }
function "increment" {
  params = [number]
  result = number + 1
}
function "tags" {
  params          = [name]
  variadic_params = versions
  result          = [for version in versions : "${REPO}/${name}:${version}"]
}
target "default" {
  tags = tags("app", "1", increment(increment(1)))
}
