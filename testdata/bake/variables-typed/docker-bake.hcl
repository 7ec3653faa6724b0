variable "PORT" { default = 3000 }
variable "DEBUG" { default = false }
variable "NAMES" {
  type    = list(string)
  default = []
}
variable "PAIRS" {
  type = map(number)
}
variable "NONE" {
  type = string
}
target "default" {
  args = {
    PORT  = PORT + 1
    DEBUG = DEBUG ? "yes" : "no"
    NAMES = join("|", NAMES)
    SUM   = PAIRS.a + PAIRS.b
    NONE  = NONE
  }
}
