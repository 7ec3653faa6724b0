target "default" {
  args = {
    encode = base64encode("hé")
    decode = base64decode("aMOp")
    md5 = md5("a")
    sha1 = sha1("a")
    sha256 = sha256("a")
    sha512 = substr(sha512("a"), 0, 16)
    url = urlencode("a b&c/ü")
    json = jsondecode("{\"a\": [1, true]}").a[0]
    text = jsonencode({ b = null, a = [1, "x"] })
    csv = csvdecode("a,b\n1,2\n3,4")[1].b
    uuid = uuidv5("dns", "www.example.com")
    random = strlen(uuidv4())
  }
}
