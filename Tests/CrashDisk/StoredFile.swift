/// A file as the kernel shows it, as the platter has it, and what lies between the two.
struct StoredFile {
  /// Something that was done and is not durable yet.
  enum Change {
    case write(offset: Int, bytes: [UInt8])
    case truncate(size: Int)
  }

  /// The unit in which a drive writes all or nothing.
  static let sectorSize = 512

  /// The bytes that reads show: the page cache.
  private(set) var cached: [UInt8] = []
  /// The bytes that a power failure leaves, less what chance keeps of `unsynced`.
  private(set) var synced: [UInt8] = []
  private(set) var unsynced: [Change] = []

  mutating func write(_ bytes: [UInt8], at offset: Int) {
    let change = Change.write(offset: offset, bytes: bytes)
    Self.apply(change, to: &cached)
    unsynced.append(change)
  }

  mutating func truncate(to size: Int) {
    Self.apply(.truncate(size: size), to: &cached)
    unsynced.append(.truncate(size: size))
  }

  mutating func sync() {
    for change in unsynced { Self.apply(change, to: &synced) }
    unsynced = []
  }

  /// A sync that fails: some of it may have been written, the rest never will be, and all of it counts as clean.
  mutating func failSync(using generator: inout some RandomNumberGenerator) {
    keepSome(using: &generator)
    unsynced = []
  }

  /// The power fails: what chance keeps is all there is.
  mutating func crash(using generator: inout some RandomNumberGenerator) {
    keepSome(using: &generator)
    unsynced = []
    cached = synced
  }

  /// Makes some changes durable: all, none, or each with an even chance, as a drive's cache is written in any order.
  /// The last of them may be torn between two sectors.
  private mutating func keepSome(using generator: inout some RandomNumberGenerator) {
    let draw = Int.random(in: 0..<8, using: &generator)
    guard draw > 0 else { return }
    var kept = draw == 1 ? unsynced : unsynced.filter { _ in Bool.random(using: &generator) }
    if let last = kept.popLast() { kept.append(Bool.random(using: &generator) ? last : Self.torn(last, &generator)) }
    for change in kept { Self.apply(change, to: &synced) }
  }

  private static func torn(_ change: Change, _ generator: inout some RandomNumberGenerator) -> Change {
    guard case .write(let offset, let bytes) = change, !bytes.isEmpty else { return change }
    let first = offset / sectorSize + 1
    let last = (offset + bytes.count - 1) / sectorSize
    guard first <= last else { return change }
    let cut = Int.random(in: first...last, using: &generator) * sectorSize - offset
    return Bool.random(using: &generator)
      ? .write(offset: offset, bytes: Array(bytes[..<cut])) : .write(offset: offset + cut, bytes: Array(bytes[cut...]))
  }

  private static func apply(_ change: Change, to content: inout [UInt8]) {
    switch change {
    case .truncate(let size):
      if size < content.count { content.removeLast(content.count - size) } else { grow(&content, to: size) }
    case .write(let offset, let bytes):
      grow(&content, to: offset + bytes.count)
      // Without optimization, the collections' own way takes hundreds of times as long.
      unsafe content.withUnsafeMutableBytes { target in
        unsafe bytes.withUnsafeBytes { unsafe target.baseAddress?.advanced(by: offset).copyMemory(from: $0) }
      }
    }
  }

  private static func grow(_ content: inout [UInt8], to size: Int) {
    if content.count < size { content += [UInt8](repeating: 0, count: size - content.count) }
  }
}

extension UnsafeMutableRawPointer {
  fileprivate func copyMemory(from bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    unsafe copyMemory(from: start, byteCount: bytes.count)
  }
}
