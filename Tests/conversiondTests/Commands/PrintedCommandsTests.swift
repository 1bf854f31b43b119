import ArgumentParser
import Foundation
import Testing

@testable import conversiond

/// Each command that the program prints, in a log, on a screen or in a help text, is one that it takes.
@Suite struct PrintedCommandsTests {
  private static let names = Conversiond.configuration.subcommands.compactMap { command in
    command.configuration.commandName
  }

  /// The commands in the string literals of a file: each ends at a quote, a backtick, or a mark that no argument has.
  static func commands(in source: String) -> [String] {
    let code = source.split(separator: "\n").filter { !$0.drop { $0 == " " }.hasPrefix("//") }.joined(separator: "\n")
    // Joins the parts of one text, and lets each value in it, and each that a shell puts in, be an order.
    let joined = code.replacing(#/"\s*\n\s*\+ "/#, with: "").replacing(#/\\\n\s*/#, with: "")
      .replacing(#/\\\((?:[^()]|\([^()]*\))*\)/#, with: "1042").replacing(#/\$\([^)]*\)/#, with: "1042")
      .replacing("\\n", with: "\n")
    let names = names.joined(separator: "|")
    guard
      let pattern = try? Regex(
        "\\bconversiond ((?:\(names))\\b(?:--[a-z-]+ \"[^\"\n]*\"|[^\"`\\n,;)|])*)", as: (Substring, Substring).self)
    else { return [] }
    return joined.matches(of: pattern).map { String($0.output.1) }
  }

  /// The words as a shell would split them; what stands behind two spaces or a colon explains.
  private static func words(_ command: String) -> [String] {
    let bare = command.split(separator: "  ").first.map(String.init) ?? command
    return bare.matches(of: #/"([^"]*)"|'([^']*)'|([^ ]+)/#).map { match in
      String(match.output.1 ?? match.output.2 ?? match.output.3 ?? "")
    }
  }

  private static var sources: [(path: String, text: String)] {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../../Sources").path
    let paths = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
    return paths.filter { $0.hasSuffix(".swift") }.sorted().compactMap { path in
      (try? String(contentsOfFile: root + "/" + path, encoding: .utf8)).map { (path, $0) }
    }
  }

  @Test func eachIsTakenByTheParser() throws {
    var commands = 0
    for source in Self.sources {
      for command in Self.commands(in: source.text) {
        commands += 1
        var words = Self.words(command)
        if words.last?.hasSuffix(".") == true || words.last?.hasSuffix(":") == true {
          words[words.count - 1].removeLast()
        }
        words = words.map { $0 == "EMAIL" ? "ana@example.com" : $0 }
        let found = try? Conversiond.parseAsRoot(ArgumentOrder.globalOptionsLast(words))
        #expect(found != nil, "\(source.path): conversiond \(words.joined(separator: " "))")
      }
    }
    #expect(commands > 40, "\(commands)")
  }

  @Test func aCommandIsFoundInTextThatIsPutTogether() {
    let text = #"""
        "it is held: conversiond queue release ALL "
          + "--reason rules_changed, or `conversiond queue show \(other(of: order))`"
      """#
    #expect(
      Self.commands(in: text) == ["queue release ALL --reason rules_changed", "queue show 1042"])
  }
}
