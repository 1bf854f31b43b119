/// Reads what journald would read (systemd, JOURNAL_NATIVE_PROTOCOL).
public enum JournalProtocol {
  /// Returns the values of each field of one entry.
  public static func fields(_ datagram: [UInt8]) -> [String: [String]] {
    var fields: [String: [String]] = [:]
    var rest = datagram[...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      let line = rest[..<end]
      rest = rest[(end + 1)...]
      if let sign = line.firstIndex(of: UInt8(ascii: "=")) {
        let value = String(decoding: line[(sign + 1)...], as: UTF8.self)
        fields[String(decoding: line[..<sign], as: UTF8.self), default: []].append(value)
      } else {
        let size = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let value = rest.dropFirst(8).prefix(size)
        fields[String(decoding: line, as: UTF8.self), default: []].append(String(decoding: value, as: UTF8.self))
        rest = rest.dropFirst(8 + size + 1)
      }
    }
    return fields
  }
}
