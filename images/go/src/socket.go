package main

import (
	"encoding/hex"
	"net"
	"syscall"
	"unsafe"
)

// As much of struct tcp_info as pqbed reads (include/uapi/linux/tcp.h).
const tcpInfoBytes = 104

// tcpInfo returns TCP_INFO of a socket, "" where it has none.
func tcpInfo(connection *net.TCPConn) string {
	info := make([]byte, tcpInfoBytes)
	size := uint32(len(info))
	failed := syscall.Errno(0)
	control(connection, func(descriptor uintptr) {
		_, _, failed = syscall.Syscall6(syscall.SYS_GETSOCKOPT, descriptor, syscall.IPPROTO_TCP, syscall.TCP_INFO,
			uintptr(unsafe.Pointer(&info[0])), uintptr(unsafe.Pointer(&size)), 0)
	})
	if failed != 0 {
		return ""
	}
	return hex.EncodeToString(info[:size])
}

// release resets a connection, by connecting it to nowhere (AF_UNSPEC, connect(2)), and closes it.
func release(connection *net.TCPConn) {
	if connection == nil {
		return
	}
	var nowhere [16]byte
	control(connection, func(descriptor uintptr) {
		syscall.Syscall(syscall.SYS_CONNECT, descriptor, uintptr(unsafe.Pointer(&nowhere[0])), uintptr(len(nowhere)))
	})
	connection.Close()
}

func control(connection *net.TCPConn, do func(uintptr)) {
	raw, err := connection.SyscallConn()
	if err == nil {
		raw.Control(do)
	}
}
