;; Returns the numbers of its variables, arguments, directories, and working directories, as digits.
;; $ SECRET=1 cipher encrypt probe-environment x
;; status 0
;; stdout 0000
;; $ SECRET=1 cipher encrypt probe-environment --set SETTING=1 x
;; status 5
;; stderr error: probe-environment has no settings, so 'SETTING' cannot be set
;; $ cd /tmp && cat /dev/null | cipher encrypt probe-environment -- --help
;; status 0
;; stdout 0000
(component
  (import "wasi:filesystem/types@0.2.0" (instance $types (export "descriptor" (type (sub resource)))))
  (alias export $types "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
    (alias outer 1 $descriptor (type $descriptor'))
    (export "descriptor" (type $d (eq $descriptor')))
    (export "get-directories" (func (result (list (tuple (own $d) string)))))))
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-environment" (func (result (list (tuple string string)))))
    (export "get-arguments" (func (result (list string))))
    (export "initial-cwd" (func (result (option string))))))
  (core module $memory
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 256)))
  (core instance $m (instantiate $memory))
  (core func $variables (canon lower (func $environment "get-environment")
    (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (core func $arguments (canon lower (func $environment "get-arguments")
    (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (core func $cwd (canon lower (func $environment "initial-cwd")
    (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (core func $directories (canon lower (func $preopens "get-directories")
    (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (core module $code
    (import "m" "memory" (memory 1))
    (import "host" "variables" (func $variables (param i32)))
    (import "host" "arguments" (func $arguments (param i32)))
    (import "host" "cwd" (func $cwd (param i32)))
    (import "host" "directories" (func $directories (param i32)))
    (func $digit (param $at i32) (param $number i32)
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (local.get $number))))
    (func (export "call") (param i32 i32) (result i32)
      (call $variables (i32.const 64))
      (call $digit (i32.const 16) (i32.load (i32.const 68)))
      (call $arguments (i32.const 64))
      (call $digit (i32.const 17) (i32.load (i32.const 68)))
      (call $directories (i32.const 64))
      (call $digit (i32.const 18) (i32.load (i32.const 68)))
      (call $cwd (i32.const 64))
      (call $digit (i32.const 19) (i32.load8_u (i32.const 64)))
      (i32.store (i32.const 0) (i32.const 16))
      (i32.store (i32.const 4) (i32.const 4))
      (i32.const 0)))
  (core instance $i (instantiate $code
    (with "m" (instance $m))
    (with "host" (instance (export "variables" (func $variables)) (export "arguments" (func $arguments)) (export "cwd" (func $cwd)) (export "directories" (func $directories))))))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
