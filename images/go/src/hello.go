package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"
)

// A ServerHello with this random is a HelloRetryRequest (RFC 8446, 4.1.3).
var retryRandom, _ = hex.DecodeString("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")

// errShares says that crypto/tls, which chooses its key shares itself, chose others than were asked for.
var errShares = errors.New("crypto/tls chooses the key shares itself")

const (
	recordHeaderBytes = 5
	// The header of a message, the version.
	randomAt, randomBytes = recordHeaderBytes + 4 + 2, 32
	keyShareExtension     = 51
)

// helloWatch looks at the first message of each side: it lets no ClientHello out whose key shares are not `shares`, and
// notes when a HelloRetryRequest came.
type helloWatch struct {
	net.Conn
	shares      []uint16
	started     time.Time
	asked, told bool
	retryNS     int64
}

func (watch *helloWatch) Write(data []byte) (int, error) {
	if !watch.asked {
		watch.asked = true
		sent, err := keyShares(data)
		if err != nil {
			return 0, err
		}
		if !slices.Equal(slices.Sorted(slices.Values(sent)), slices.Sorted(slices.Values(watch.shares))) {
			return 0, fmt.Errorf("%w: %#04x, asked for %#04x", errShares, sent, watch.shares)
		}
	}
	return watch.Conn.Write(data)
}

func (watch *helloWatch) Read(buffer []byte) (int, error) {
	n, err := watch.Conn.Read(buffer)
	if !watch.told && n >= randomAt+randomBytes {
		watch.told = true
		if bytes.Equal(buffer[randomAt:randomAt+randomBytes], retryRandom) {
			watch.retryNS = int64(time.Since(watch.started))
		}
	}
	return n, err
}

// keyShares returns the groups of the key shares in the record of a ClientHello (RFC 8446, 4.1.2 and 4.2.8).
func keyShares(record []byte) ([]uint16, error) {
	message := reader{rest: record}
	message.take(randomAt + randomBytes)
	message.vector(1)
	message.vector(2)
	message.vector(1)
	for extensions := message.vector(2); len(extensions.rest) > 0; {
		kind, content := extensions.number(2), extensions.vector(2)
		if kind != keyShareExtension {
			continue
		}
		var groups []uint16
		for list := content.vector(2); len(list.rest) > 0; list.vector(2) {
			groups = append(groups, uint16(list.number(2)))
		}
		return groups, nil
	}
	return nil, errors.New("the first record is no ClientHello with key shares")
}

// reader reads numbers and vectors from the front of a message; past its end there is nothing.
type reader struct{ rest []byte }

func (message *reader) take(size int) []byte {
	size = min(size, len(message.rest))
	taken := message.rest[:size]
	message.rest = message.rest[size:]
	return taken
}

func (message *reader) number(size int) int {
	value := 0
	for _, octet := range message.take(size) {
		value = value<<8 | int(octet)
	}
	return value
}

func (message *reader) vector(size int) reader {
	return reader{rest: message.take(message.number(size))}
}
