function "again" {
  params = [n]
  result = again(n)
}
target "default" { tags = [again("x")] }
