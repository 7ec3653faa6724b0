variable "BASE" { default = "alpine" }
target "default" {
  dockerfile-inline = <<EOT
FROM ${BASE}
RUN echo "a \n $HOME"
EOT
  args = {
    FLUSH = <<-END
      first
        second ${BASE}

      last
    END
  }
}
