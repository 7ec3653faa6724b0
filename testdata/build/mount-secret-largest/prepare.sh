head -c 512000 /dev/zero > big
