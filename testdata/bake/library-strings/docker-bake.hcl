target "default" {
  args = {
    basename = basename("a/b/c.txt")
    dirname = dirname("a/b/c.txt")
    bytes = byteslen("é")
    slice = bytesslice("hello", 1, 3)
    chomp = chomp("a\n\n")
    indent = indent(2, "a\nb")
    join = join(", ", ["a", "b"], ["c"])
    lower = lower("ABC")
    upper = upper("é")
    title = title("hello wide world")
    replace = replace("a.b.c", ".", "-")
    reverse = reverse("abc")
    sanitize = sanitize("a/b:1.0")
    split = join("|", split("/", "a/b"))
    strlen = strlen("añb")
    substr = substr("hello", -3, 2)
    trim = trim("xxaxx", "x")
    prefix = trimprefix("v1.2", "v")
    suffix = trimsuffix("a.txt", ".txt")
    space = trimspace("  a ")
  }
}
