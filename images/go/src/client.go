package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

type question struct {
	Call       string `json:"call"`
	Address    string `json:"address"`
	Port       int    `json:"port"`
	ServerName string `json:"server_name"`
	SizeBytes  int    `json:"size_bytes"`
	GroupID    uint16 `json:"group_id"`
	RootPEM    string `json:"root_pem"`
	ChainPEM   string `json:"chain_pem"`
	KeyPEM     string `json:"key_pem"`
	TimeoutNS  int64  `json:"timeout_ns"`
	Header     string `json:"header"`
	Connection string `json:"connection"`
	IdleNS     int64  `json:"idle_ns"`

	// Of a client that offers several groups: all of them, and those that must have a key share.
	GroupIDs []uint16 `json:"group_ids"`
	ShareIDs []uint16 `json:"share_ids"`
}

// Times in ns from the start of the connection, 0: not reached.
type fetched struct {
	Outcome      string `json:"outcome"`
	Detail       string `json:"detail"`
	TCPConnectNS int64  `json:"tcp_connect_ns"`
	TLSDoneNS    int64  `json:"tls_done_ns"`
	FirstByteNS  int64  `json:"first_byte_ns"`
	LastByteNS   int64  `json:"last_byte_ns"`
	BodyBytes    int    `json:"body_bytes"`
	HTTPStatus   int    `json:"http_status"`
	Group        string `json:"group"`
	ServerGroup  string `json:"server_group"`
	Retried      bool   `json:"retried"`
	HelloRetryNS int64  `json:"hello_retry_ns"`
	Connection   string `json:"connection"`
	TCPInfo      string `json:"tcp_info"`
}

// answer does what each line asks for, one at a time, until the input ends.
func answer(in io.Reader, out io.Writer) error {
	var open *net.TCPConn
	var tickets tls.ClientSessionCache
	lines := bufio.NewReaderSize(in, 1<<20)
	answers := json.NewEncoder(out)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		var asked question
		if err := json.Unmarshal(line, &asked); err != nil {
			return err
		}
		release(open)
		open = nil
		found := fetched{}
		switch asked.Call {
		case "prime":
			tickets = tls.NewLRUClientSessionCache(1)
			asked.Connection = "full"
			found, open = fetch(asked, tickets)
		case "fetch":
			found, open = fetch(asked, tickets)
			tickets = nil
		default:
			runtime.GC()
		}
		if err := answers.Encode(found); err != nil {
			return err
		}
	}
}

// fetch does one fetch, with the ticket in `tickets` if there is one. The connection is left open, dead still, for
// `release`.
func fetch(asked question, tickets tls.ClientSessionCache) (fetched, *net.TCPConn) {
	found := fetched{Outcome: "ok"}
	configuration, err := clientConfiguration(asked)
	if err != nil {
		return fetched{Outcome: "tls_error", Detail: err.Error()}, nil
	}
	configuration.ClientSessionCache = tickets
	dialer := net.Dialer{KeepAlive: -1}
	dialer.SetMultipathTCP(false)
	dialer.Timeout = time.Duration(asked.TimeoutNS)
	started := time.Now()
	plain, err := dialer.Dial("tcp4", net.JoinHostPort(asked.Address, strconv.Itoa(asked.Port)))
	if err != nil {
		found.Outcome, found.Detail = classify(err, "reset"), err.Error()
		return found, nil
	}
	found.TCPConnectNS = int64(time.Since(started))
	connection := plain.(*net.TCPConn)
	connection.SetDeadline(started.Add(time.Duration(asked.TimeoutNS)))
	hello := &helloWatch{Conn: connection, shares: asked.ShareIDs, started: started}
	client := tls.Client(connection, configuration)
	if len(asked.GroupIDs) > 0 {
		client = tls.Client(hello, configuration)
	}
	err = found.transfer(client, asked, started)
	if asked.Connection != "reused" {
		found.HelloRetryNS = hello.retryNS
	}
	if errors.Is(err, errShares) {
		return fetched{Outcome: "unsupported", Detail: err.Error()}, connection
	}
	if err != nil {
		usual := "reset"
		if found.TLSDoneNS == 0 {
			usual = "tls_error"
		}
		found.Outcome, found.Detail = classify(err, usual), err.Error()
	}
	found.TCPInfo = tcpInfo(connection)
	return found, connection
}

func clientConfiguration(asked question) (*tls.Config, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(asked.RootPEM)) {
		return nil, errors.New("the root cannot be read")
	}
	configuration := &tls.Config{
		RootCAs:          roots,
		ServerName:       asked.ServerName,
		MinVersion:       tls.VersionTLS13,
		CurvePreferences: curves(asked.GroupID, asked.GroupIDs),
	}
	if asked.ChainPEM != "" {
		certificate, err := tls.X509KeyPair([]byte(asked.ChainPEM), []byte(asked.KeyPEM))
		if err != nil {
			return nil, err
		}
		configuration.Certificates = []tls.Certificate{certificate}
	}
	if path := os.Getenv("SSLKEYLOGFILE"); path != "" {
		log, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, err
		}
		configuration.KeyLogWriter = log
	}
	return configuration, nil
}

// curves returns the groups to offer: several, or the one.
func curves(one uint16, several []uint16) []tls.CurveID {
	if len(several) == 0 {
		return []tls.CurveID{tls.CurveID(one)}
	}
	var ids []tls.CurveID
	for _, id := range several {
		ids = append(ids, tls.CurveID(id))
	}
	return ids
}

func (found *fetched) transfer(connection *tls.Conn, asked question, started time.Time) error {
	if err := connection.Handshake(); err != nil {
		return err
	}
	found.TLSDoneNS = int64(time.Since(started))
	state := connection.ConnectionState()
	found.Group, found.Retried = codepoint(uint16(state.CurveID)), state.HelloRetryRequest
	found.Connection = "full"
	if state.DidResume {
		found.Connection = "resumed"
	}
	if err := found.ask(connection, asked, started); err != nil || asked.Connection != "reused" {
		return err
	}
	time.Sleep(time.Duration(asked.IdleNS))
	again := time.Now()
	connection.SetDeadline(again.Add(time.Duration(asked.TimeoutNS)))
	*found = fetched{Outcome: "ok", Group: found.Group, Retried: found.Retried, Connection: "reused"}
	return found.ask(connection, asked, again)
}

// ask sends one request and reads its response; times are counted from `started`.
func (found *fetched) ask(connection *tls.Conn, asked question, started time.Time) error {
	request := "GET /%d HTTP/1.1\r\nHost: %s:%d\r\nUser-Agent: pqbed\r\nAccept: */*\r\n\r\n"
	if _, err := fmt.Fprintf(connection, request, asked.SizeBytes, asked.ServerName, asked.Port); err != nil {
		return err
	}
	clock := &firstByte{source: connection, started: started}
	response, err := http.ReadResponse(bufio.NewReaderSize(clock, 64<<10), nil)
	found.FirstByteNS = clock.ns
	if err != nil {
		return err
	}
	found.HTTPStatus, found.ServerGroup = response.StatusCode, response.Header.Get(asked.Header)
	found.BodyBytes, err = drain(response.Body)
	if err != nil {
		return err
	}
	found.LastByteNS = int64(time.Since(started))
	return nil
}

func drain(body io.Reader) (int, error) {
	buffer, whole := make([]byte, 512<<10), 0
	for {
		n, err := body.Read(buffer)
		whole += n
		if err == io.EOF {
			return whole, nil
		}
		if err != nil {
			return whole, err
		}
	}
}

// firstByte notes when the first bytes of the response came.
type firstByte struct {
	source  io.Reader
	started time.Time
	ns      int64
}

func (clock *firstByte) Read(buffer []byte) (int, error) {
	n, err := clock.source.Read(buffer)
	if clock.ns == 0 && n > 0 {
		clock.ns = int64(time.Since(clock.started))
	}
	return n, err
}

func classify(err error, usual string) string {
	var late net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ETIMEDOUT), errors.As(err, &late) && late.Timeout():
		return "timeout"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF):
		return "reset"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "short_body"
	}
	var alert tls.AlertError
	if errors.As(err, &alert) {
		return "tls_error"
	}
	return usual
}
