package hostile

// What an attacker gets into an error, a health report or a value:
// markup, escapes of several languages, a line of a log and of an event stream,
// what steers a terminal, and credentials.
const (
	Markup = `</script><img src=x onerror="alert(1)">&lt;b&gt;` + "\x1b]0;t\a\u2028\nlevel=ERROR msg=forged\n\nevent: sample\ndata: {}\n" + `"]; evil [URL="javascript:alert(1)"] \N \" ` + "\x00\xff"
	Login  = "nats://penstock:hunter2@broker.example:4222,tls://hunter2@other.example:4222"
	Text   = Markup + Login
)
