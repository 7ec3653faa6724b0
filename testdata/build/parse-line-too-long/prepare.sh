{ echo 'FROM scratch'; printf 'ENV A='; head -c 70000 /dev/zero | tr '\0' x; echo; } > Containerfile
