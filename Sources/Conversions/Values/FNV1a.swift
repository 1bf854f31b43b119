/// The FNV-1a hash in 64 bits (Fowler, Noll and Vo; RFC 9923), byte by byte.
struct FNV1a: Hashable, Sendable {
  private(set) var bits: UInt64

  /// Begins with the hash of no bytes.
  init() { bits = 0xcbf2_9ce4_8422_2325 }

  /// Wraps a hash that was kept.
  init(bits: UInt64) { self.bits = bits }

  @inline(__always)
  mutating func mix(_ byte: UInt8) { bits = (bits ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
}
