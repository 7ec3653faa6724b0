target "default" {
  args = { for w in ["a", "b"] : "k" => w }
}
