printf 'first-line\nsecond-line\n' > secret.txt
