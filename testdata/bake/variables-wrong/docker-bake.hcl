variable "PORT" {
  default = 3000
}
target "default" { args = { PORT = PORT } }
