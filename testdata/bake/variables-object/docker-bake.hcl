variable "SETTING" {
  type = object({
    name = string
    size = optional(number, 4)
    tags = optional(set(string))
  })
  default = { name = "x" }
}
target "default" {
  args = {
    NAME = SETTING.name
    SIZE = SETTING.size
    TAGS = SETTING.tags == null ? "none" : "some"
  }
}
