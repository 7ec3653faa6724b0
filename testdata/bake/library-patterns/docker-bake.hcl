target "default" {
  args = {
    regex = regex("[0-9]+", "v12.3")
    groups = jsonencode(regex("(\\d+)\\.(\\d+)", "v12.3"))
    named = regex("(?P<major>\\d+)", "v12").major
    all = jsonencode(regexall("[a-z]", "aXb"))
    none = length(regexall("z", "abc"))
    replace = regex_replace("a1b2", "([a-z])(\\d)", "$${2}$1")
    fold = regex_replace("ABC", "(?i)b", "-")
    newer = semvercmp("1.10.0", "1.9.0")
    pre = semvercmp("1.0.0-rc.1", "1.0.0")
  }
}
