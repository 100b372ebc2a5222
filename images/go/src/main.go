// The stack `go`: crypto/tls and net/http as Go's users run them. What it is asked and what it answers is in
// docs/reference/stacks.md.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

func main() {
	// One thread of Go code, and collections only between fetches: what is timed is the connection.
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1)
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 1 && arguments[0] == "probe":
		return probe(os.Stdout)
	case len(arguments) == 3 && arguments[0] == "server":
		return serve(arguments[1], arguments[2])
	case len(arguments) == 1 && arguments[0] == "client":
		return answer(os.Stdin, os.Stdout)
	}
	return fmt.Errorf("usage: probe | server LISTENERS READY | client")
}
