target "default" {
  args = {
    d = format("%03d", 7)
    s = format("%-5s|%5s", "ab", "cd")
    f = format("%.2f", 3.14159)
    v = format("%v %v %v", "a", 1.5, true)
    json = format("%#v", { a = ["x"] })
    index = format("%[2]s%[1]s", "a", "b")
    percent = format("100%%")
    q = format("%q", "a\"b")
    x = format("%x %X %b", 255, 255, 5)
    e = format("%.1e", 12345)
    list = join(",", formatlist("%s:%d", ["a", "b"], 1))
  }
}
