target "default" {
  context = BAKE_CMD_CONTEXT
  args    = { HAS = BAKE_LOCAL_PLATFORM != "" }
}
