variable "LIST" {
  default = [{ name = "a", in = [{ n = 1 }] }, { name = "b", in = [{ n = 2 }, { n = 3 }] }]
}
target "default" {
  args = {
    full   = join(",", LIST[*].name)
    short  = join(",", LIST.*.name)
    nested = jsonencode(LIST[*].in[*].n)
    one    = length("x"[*])
    none   = length(null[*])
    last   = LIST[length(LIST) - 1].name
    legacy = LIST.0.name
  }
}
