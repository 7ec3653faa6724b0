variable "N" { default = 3 }
target "default" {
  args = {
    sum    = 1 + 2 * N - 4 / 2
    paren  = (1 + 2) * N
    modulo = -N % 2
    logic  = !false && N > 2 || false
    chain  = N >= 3 ? N == 3 ? "three" : "more" : "less"
    same   = { a = [1] } == { a = [1] }
    mixed  = "1" == 1
  }
}
