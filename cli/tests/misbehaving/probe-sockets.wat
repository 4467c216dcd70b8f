;; Asks for a TCP socket, a UDP socket, and the address of a name. Returns a digit and a letter for each: 1 for an error,
;; and its code: b for access-denied, u for permanent-resolver-failure.
;; $ cipher encrypt probe-sockets x
;; status 0
;; stdout 1b1b1u
;; $ cipher cache add probe-sockets >/dev/null 2>&1; ulimit -n 10; cipher encrypt probe-sockets x
;; status 0
;; stdout 1b1b1u
(component
  (import "wasi:sockets/network@0.2.0" (instance $network
    (export "network" (type (sub resource)))
    (type $code' (enum "unknown" "access-denied" "not-supported" "invalid-argument" "out-of-memory" "timeout"
      "concurrency-conflict" "not-in-progress" "would-block" "invalid-state" "new-socket-limit" "address-not-bindable"
      "address-in-use" "remote-unreachable" "connection-refused" "connection-reset" "connection-aborted"
      "datagram-too-large" "name-unresolvable" "temporary-resolver-failure" "permanent-resolver-failure"))
    (export "error-code" (type (eq $code')))
    (type $family' (enum "ipv4" "ipv6"))
    (export "ip-address-family" (type (eq $family')))))
  (alias export $network "network" (type $network-type))
  (alias export $network "error-code" (type $code))
  (alias export $network "ip-address-family" (type $family))
  (import "wasi:sockets/instance-network@0.2.0" (instance $given
    (alias outer 1 $network-type (type $n'))
    (export "network" (type $n (eq $n')))
    (export "instance-network" (func (result (own $n))))))
  (import "wasi:sockets/tcp@0.2.0" (instance $tcp (export "tcp-socket" (type (sub resource)))))
  (alias export $tcp "tcp-socket" (type $tcp-socket))
  (import "wasi:sockets/tcp-create-socket@0.2.0" (instance $new-tcp
    (alias outer 1 $code (type $c'))
    (export "error-code" (type $c (eq $c')))
    (alias outer 1 $family (type $f'))
    (export "ip-address-family" (type $f (eq $f')))
    (alias outer 1 $tcp-socket (type $s'))
    (export "tcp-socket" (type $s (eq $s')))
    (export "create-tcp-socket" (func (param "address-family" $f) (result (result (own $s) (error $c)))))))
  (import "wasi:sockets/udp@0.2.0" (instance $udp (export "udp-socket" (type (sub resource)))))
  (alias export $udp "udp-socket" (type $udp-socket))
  (import "wasi:sockets/udp-create-socket@0.2.0" (instance $new-udp
    (alias outer 1 $code (type $c'))
    (export "error-code" (type $c (eq $c')))
    (alias outer 1 $family (type $f'))
    (export "ip-address-family" (type $f (eq $f')))
    (alias outer 1 $udp-socket (type $s'))
    (export "udp-socket" (type $s (eq $s')))
    (export "create-udp-socket" (func (param "address-family" $f) (result (result (own $s) (error $c)))))))
  (import "wasi:sockets/ip-name-lookup@0.2.0" (instance $lookup
    (export "resolve-address-stream" (type $stream (sub resource)))
    (alias outer 1 $network-type (type $n'))
    (export "network" (type $n (eq $n')))
    (alias outer 1 $code (type $c'))
    (export "error-code" (type $c (eq $c')))
    (export "resolve-addresses"
      (func (param "network" (borrow $n)) (param "name" string) (result (result (own $stream) (error $c)))))))
  (core module $memory
    (memory (export "memory") 1)
    (data (i32.const 32) "example.com")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 256)))
  (core instance $m (instantiate $memory))
  (core func $network (canon lower (func $given "instance-network")))
  (core func $tcp (canon lower (func $new-tcp "create-tcp-socket") (memory (core memory $m "memory"))))
  (core func $udp (canon lower (func $new-udp "create-udp-socket") (memory (core memory $m "memory"))))
  (core func $resolve (canon lower (func $lookup "resolve-addresses") (memory (core memory $m "memory"))))
  (core module $code
    (import "m" "memory" (memory 1))
    (import "host" "network" (func $network (result i32)))
    (import "host" "tcp" (func $tcp (param i32 i32)))
    (import "host" "udp" (func $udp (param i32 i32)))
    (import "host" "resolve" (func $resolve (param i32 i32 i32 i32)))
    (func $digit (param $at i32)
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.load8_u (i32.const 64))))
      (i32.store8 offset=1 (local.get $at) (i32.add (i32.const 97) (i32.load8_u (i32.const 68)))))
    (func (export "call") (param i32 i32) (result i32)
      (call $tcp (i32.const 0) (i32.const 64))
      (call $digit (i32.const 16))
      (call $udp (i32.const 0) (i32.const 64))
      (call $digit (i32.const 18))
      (call $resolve (call $network) (i32.const 32) (i32.const 11) (i32.const 64))
      (call $digit (i32.const 20))
      (i32.store (i32.const 0) (i32.const 16))
      (i32.store (i32.const 4) (i32.const 6))
      (i32.const 0)))
  (core instance $i (instantiate $code
    (with "m" (instance $m))
    (with "host" (instance (export "network" (func $network)) (export "tcp" (func $tcp)) (export "udp" (func $udp)) (export "resolve" (func $resolve))))))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
