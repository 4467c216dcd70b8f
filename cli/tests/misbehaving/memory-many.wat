;; Has twenty memories: each is within the limit, but their total is not.
;; $ cipher encrypt memory-many x --max-memory 10MiB
;; status 1
;; stderr error: memory-many needs more than 10MiB of memory (--max-memory)
;; $ cipher encrypt memory-many x --max-memory 20MiB
;; status 0
;; stdout
;; $ echo x | cipher encrypt memory-many --lines --isolate
;; status 1
;; stderr error: memory-many needs more than an instance gets with --isolate: [..]
;; $ ulimit -v 5000000; cipher encrypt memory-many x
;; status 6
;; stderr error: not enough system resources to run memory-many: Out of memory (os error 12); the address space is limited to 5000000KiB (ulimit -v), and each memory reserves 4GiB
;; $ ulimit -v 500000; cipher encrypt memory-many x
;; status 6
;; stderr error: not enough system resources to run memory-many: Out of memory (os error 12); the address space is limited to 500000KiB (ulimit -v)
;; $ ulimit -v 2000000; cipher encrypt memory-many x
;; status 0
;; stdout
(component
  (core module $code
    (func (export "call") (param i32 i32) (result i32)
      (i32.const 0))
    (memory (export "memory") 16)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16)))
  (core module $memory (memory 16))
  (core instance (instantiate $memory))
  (core instance (instantiate $memory))
  (core instance (instantiate $memory))
  (core instance (instantiate $memory))
  (core instance (instantiate $memory))
  (core instance (instantiate $memory))
  (core instance (instantiate $memory))
  (core instance (instantiate $memory))
  (core instance (instantiate $memory))
  (core instance (instantiate $memory))
  (core instance (instantiate $memory))
  (core instance (instantiate $memory))
  (core instance (instantiate $memory))
  (core instance (instantiate $memory))
  (core instance (instantiate $memory))
  (core instance (instantiate $memory))
  (core instance (instantiate $memory))
  (core instance (instantiate $memory))
  (core instance (instantiate $memory))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
