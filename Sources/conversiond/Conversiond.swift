@main
struct Conversiond {
  static func main() {}
}
