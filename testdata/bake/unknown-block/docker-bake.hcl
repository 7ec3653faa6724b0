targets "default" {}
