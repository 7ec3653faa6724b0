target "default" {
  args = {
    can = can({ a = 1 }.b)
    cannot = can(upper(["x"]))
    try = try({ a = 1 }.b, [][0], "last")
    convert = convert("3", number) + 1
    list = jsonencode(convert([1, 2], list(string)))
  }
}
