head -c 512001 /dev/zero > big
