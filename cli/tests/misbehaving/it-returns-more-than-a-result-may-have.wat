;;$ encrypt ./guest.wasm x --max-message 1MiB
;;? 1
;;! error: guest broke the contract: [..]
(func (export "encr") (param $text i32) (param $length i32) (result i32)
  (call $return (call $allocate (i32.const 2000000)) (i32.const 2000000)))
