target "default" {
  args = {
    has = sethaselement(["a"], "b")
    both = jsonencode(setintersection(["a", "b"], ["b", "c"]))
    all = jsonencode(setunion(["a"], ["b", "a"]))
    less = jsonencode(setsubtract(["a", "b"], ["a"]))
    either = jsonencode(setsymmetricdifference(["a", "b"], ["b", "c"]))
    product = jsonencode(setproduct(["a", "b"], [1, 2]))
  }
}
