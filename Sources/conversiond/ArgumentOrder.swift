/// Lets global options stand before the command as well as after it: the parser takes them after it only.
enum ArgumentOrder {
  private static let flags: Set<String> = ["--json", "--no-color"]
  private static let withValue: Set<String> = ["--config", "--instance"]

  /// The arguments with the global options that stand before the command moved behind everything else, but before a
  /// `--`.
  static func globalOptionsLast(_ arguments: [String]) -> [String] {
    var moved: [String] = []
    var rest = arguments[...]
    while let argument = rest.first {
      if flags.contains(argument) || withValue.contains(where: { argument.hasPrefix($0 + "=") }) {
        moved.append(argument)
        rest = rest.dropFirst()
      } else if withValue.contains(argument), rest.count > 1 {
        moved += rest.prefix(2)
        rest = rest.dropFirst(2)
      } else {
        break
      }
    }
    // Nothing but options: leaves them to the parser, which answers them.
    guard !rest.isEmpty, !moved.isEmpty, rest.first?.hasPrefix("-") == false else { return arguments }
    let end = rest.firstIndex(of: "--") ?? rest.endIndex
    return Array(rest[..<end]) + moved + Array(rest[end...])
  }
}
