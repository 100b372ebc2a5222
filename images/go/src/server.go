package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
)

type listenerSettings struct {
	Port        int    `json:"port"`
	Chain       string `json:"chain"`
	Key         string `json:"key"`
	GroupID     uint16 `json:"group_id"`
	SignatureID uint16 `json:"signature_id"`
	ClientRoot  string `json:"client_root"`
	Header      string `json:"header"`
	Tickets     bool   `json:"tickets"`

	// In place of the one group, where there are several.
	GroupIDs []uint16 `json:"group_ids"`
}

// serve listens on every port of the file `listeners`, then fills the file `ready`. It ends with the process.
func serve(listeners, ready string) error {
	file, err := os.Open(listeners)
	if err != nil {
		return err
	}
	defer file.Close()
	failed := make(chan error)
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var settings listenerSettings
		if err := json.Unmarshal(lines.Bytes(), &settings); err != nil {
			return err
		}
		listener, err := listen(settings)
		if err != nil {
			return err
		}
		server := &http.Server{Handler: bodies(settings.Header, settings.Tickets)}
		go func() { failed <- server.Serve(listener) }()
	}
	if err := os.WriteFile(ready, []byte("ready\n"), 0o600); err != nil {
		return err
	}
	return <-failed
}

func listen(settings listenerSettings) (net.Listener, error) {
	configuration, err := serverConfiguration(settings)
	if err != nil {
		return nil, err
	}
	// Plain TCP as the other stacks speak it: Go would take MPTCP where the kernel has it.
	plain := net.ListenConfig{KeepAlive: -1}
	plain.SetMultipathTCP(false)
	listener, err := plain.Listen(context.Background(), "tcp4", fmt.Sprintf(":%d", settings.Port))
	if err != nil {
		return nil, err
	}
	return tls.NewListener(listener, configuration), nil
}

func serverConfiguration(settings listenerSettings) (*tls.Config, error) {
	certificate, err := tls.LoadX509KeyPair(settings.Chain, settings.Key)
	if err != nil {
		return nil, err
	}
	certificate.SupportedSignatureAlgorithms = []tls.SignatureScheme{tls.SignatureScheme(settings.SignatureID)}
	configuration := &tls.Config{
		Certificates:           []tls.Certificate{certificate},
		MinVersion:             tls.VersionTLS13,
		CurvePreferences:       curves(settings.GroupID, settings.GroupIDs),
		SessionTicketsDisabled: !settings.Tickets,
	}
	if settings.ClientRoot != "" {
		pem, err := os.ReadFile(settings.ClientRoot)
		if err != nil {
			return nil, err
		}
		configuration.ClientAuth = tls.RequireAndVerifyClientCert
		configuration.ClientCAs = x509.NewCertPool()
		if !configuration.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", settings.ClientRoot)
		}
	}
	return configuration, nil
}

// bodies answers /N with N bytes, and tells in the header field `name` which group the connection has and, with
// `tickets`, whether its session was resumed.
func bodies(name string, tickets bool) http.Handler {
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		size, err := strconv.Atoi(strings.TrimPrefix(request.URL.Path, "/"))
		if err != nil || size < 0 {
			http.NotFound(response, request)
			return
		}
		headers := response.Header()
		headers.Set("Content-Type", "application/octet-stream")
		headers.Set("Content-Length", strconv.Itoa(size))
		told := codepoint(uint16(request.TLS.CurveID))
		if tickets && request.TLS.DidResume {
			told += " r"
		} else if tickets {
			told += " ."
		}
		headers.Set(name, told)
		response.Write(make([]byte, size))
	})
}
