target "default" {
  args = {
    date = formatdate("DD MMM YYYY hh:mm:ss ZZZ", "2025-02-03T14:05:06Z")
    quoted = formatdate("EEEE, D 'of' MMMM YY, H aa", "2025-02-03T14:05:06+02:00")
    zone = formatdate("ZZZZZ", "2025-02-03T14:05:06-08:00")
    later = timeadd("2025-12-31T23:30:00Z", "1h30m")
    day = rfc3339parse("2025-02-03T14:05:06Z").weekday_name
    unix = unixtimestampparse(1690328596).rfc3339
    week = unixtimestampparse(1690328596).iso_week
    year_day = unixtimestampparse(1690328596).year_day
    now = strlen(timestamp())
  }
}
