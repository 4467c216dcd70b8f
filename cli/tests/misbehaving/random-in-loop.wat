;; Draws 4 MiB of random bytes in a loop to encrypt, and one byte more in one call to decrypt.
;; $ timeout 20 cipher encrypt random-in-loop x --timeout 300ms
;; status 1
;; stderr error: random-in-loop ran longer than 300ms (--timeout)
;; $ cipher decrypt random-in-loop x
;; status 1
;; stderr error: random-in-loop broke the contract: it asked for more than 4MiB of random bytes at once
(component
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
  (core module $memory
    (memory (export "memory") 80)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 256)))
  (core instance $m (instantiate $memory))
  (core func $random (canon lower (func $random "get-random-bytes")
    (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (core module $code
    (import "host" "random" (func $random (param i64 i32)))
    (func (export "encr") (param i32 i32) (result i32)
      (loop $again
        (call $random (i64.const 0x400000) (i32.const 8))
        (br $again))
      (i32.const 0))
    (func (export "decr") (param i32 i32) (result i32)
      (call $random (i64.const 0x400001) (i32.const 8))
      (i32.const 0)))
  (core instance $i (instantiate $code
    (with "host" (instance (export "random" (func $random))))))
  (func (export "encr") (param "input" string) (result string)
    (canon lift (core func $i "encr") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (func (export "decr") (param "input" string) (result string)
    (canon lift (core func $i "decr") (memory (core memory $m "memory")) (realloc (core func $m "realloc")))))
