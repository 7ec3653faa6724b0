printf 'a\0b' > bin
