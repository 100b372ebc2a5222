package main

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"time"
)

// Codepoints of groups that are asked for, far above the last one given out.
const lastGroup = 0x3000

type support struct {
	Version    string   `json:"version"`
	Groups     []string `json:"groups"`
	Signatures []string `json:"signatures"`
	Providers  []string `json:"providers"`
}

// probe lets a client that wants every group there is say hello, and writes what the library then offers.
func probe(out io.Writer) error {
	hello, err := firstHello()
	if err != nil {
		return err
	}
	found := support{Version: "Go " + runtime.Version()[2:], Providers: []string{}}
	for _, group := range hello.SupportedCurves {
		found.Groups = append(found.Groups, codepoint(uint16(group)))
	}
	for _, scheme := range hello.SignatureSchemes {
		found.Signatures = append(found.Signatures, codepoint(uint16(scheme)))
	}
	return json.NewEncoder(out).Encode(found)
}

func firstHello() (*tls.ClientHelloInfo, error) {
	every := make([]tls.CurveID, lastGroup)
	for i := range every {
		every[i] = tls.CurveID(i + 1)
	}
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	deadline := time.Now().Add(10 * time.Second)
	near.SetDeadline(deadline)
	far.SetDeadline(deadline)
	go tls.Client(near, &tls.Config{MinVersion: tls.VersionTLS13, CurvePreferences: every, ServerName: "probe"}).Handshake()
	var hello *tls.ClientHelloInfo
	seen := errors.New("seen")
	err := tls.Server(far, &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetConfigForClient: func(info *tls.ClientHelloInfo) (*tls.Config, error) {
			hello = info
			return nil, seen
		},
	}).Handshake()
	if hello == nil {
		return nil, fmt.Errorf("no hello was seen: %w", err)
	}
	return hello, nil
}

func codepoint(number uint16) string {
	return fmt.Sprintf("0x%04x", number)
}
