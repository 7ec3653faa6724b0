target "default" {
  cachefrom = ["x"]
}
