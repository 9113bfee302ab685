package render

// Time is the layout of a time: RFC 3339 with milliseconds, and always as wide.
const Time = "2006-01-02T15:04:05.000Z07:00"
