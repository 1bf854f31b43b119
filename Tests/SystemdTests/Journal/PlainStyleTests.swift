import Logging
import Testing

@testable import Systemd

@Suite struct PlainStyleTests {
  private let moment = PlainStyle.Moment(seconds: 1_795_352_701, milliseconds: 7)

  private func line(
    _ message: String, _ fields: [(key: String, value: String)] = [], level: Logger.Level = .notice,
    terminal: Bool = false, color: Bool = false, environment: [String: String] = [:]
  ) -> String {
    let style = PlainStyle(isTerminal: terminal, color: color, environment: environment)
    return String(
      decoding: style.line(LogRecord(level: level, message: message, fields: fields), at: moment), as: UTF8.self)
  }

  @Test func aFileHasWholeLines() {
    #expect(line("up") == "2026-11-22T13:05:01.007Z notice  up\n")
    let fields = [(key: "order", value: "1043"), (key: "reason", value: "two words"), (key: "event", value: "queued")]
    #expect(
      line("m", fields, level: .warning)
        == "2026-11-22T13:05:01.007Z warning m  order=1043 reason=\"two words\" event=queued\n")
    #expect(
      line("m", [(key: "a", value: ""), (key: "b", value: "x=\"y\"")], level: .critical).hasSuffix(
        "error   m  a=\"\" b=\"x=\\\"y\\\"\"\n"))
  }

  @Test func aTerminalHasShortOnes() throws {
    let fields = [(key: "order", value: "1043"), (key: "event", value: "queued")]
    let text = line("m", fields, terminal: true)
    #expect(text.wholeMatch(of: #/[0-9]{2}:[0-9]{2}:01 notice  m  order=1043\n/#) != nil)
  }

  @Test func colorsAreForTerminalsThatWantThem() {
    let escape = "\u{1B}["
    #expect(line("m", level: .error, terminal: true, color: true).contains("\(escape)1;31merror\(escape)0m   m"))
    #expect(line("m", level: .error, terminal: true, color: true, environment: ["NO_COLOR": ""]).contains(escape))
    #expect(!line("m", level: .error, terminal: true, color: true, environment: ["NO_COLOR": "1"]).contains(escape))
    #expect(!line("m", level: .error, terminal: true, color: true, environment: ["TERM": "dumb"]).contains(escape))
    #expect(!line("m", level: .error, terminal: true, color: false).contains(escape))
    #expect(!line("m", level: .error, terminal: false, color: true).contains(escape))
    #expect(!line("m", level: .info, terminal: true, color: true).contains(escape))
  }

  @Test func nothingFromOutsideSteersATerminal() {
    let hostile = "a\n2026 error b\r\t\u{1B}[2J\u{7}\u{9B}31m\u{7F}\u{202E}\u{2066}\u{2028}\u{0}\u{200F}é😀"
    let text = line(hostile, [(key: "k\u{1B} =", value: hostile)], terminal: true)
    #expect(text.unicodeScalars.filter { $0.value < 0x20 } == ["\n"])
    #expect(text.hasSuffix("\n"))
    for scalar in "\u{7F}\u{9B}\u{202E}\u{2066}\u{2028}\u{200F}".unicodeScalars {
      #expect(!text.unicodeScalars.contains(scalar))
    }
    #expect(
      text.contains(
        "a\\n2026 error b\\r\\t\\u{1b}[2J\\u{7}\\u{9b}31m\\u{7f}\\u{202e}\\u{2066}\\u{2028}\\u{0}\\u{200f}é😀"))
    #expect(text.contains("\"k\\u{1b} =\"=\""))
  }
}
