"""Names, text and arrays of numbers, as C has them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fastgd.arguments.checks import Array, shown
from fastgd.functions.languages import c_number

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
# words of C and C++, and what compilers and the standard headers have, that no function of ours can
# be called
_TAKEN = frozenset(
    """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl concept
    const consteval constexpr constinit const_cast continue co_await co_return co_yield decltype
    default delete do double dynamic_cast else enum explicit export extern false float for friend
    goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq
    private protected public register reinterpret_cast requires restrict return short signed sizeof
    static static_assert static_cast struct switch template this thread_local throw true try typedef
    typeid typename union unsigned using virtual void volatile wchar_t while xor xor_eq main
    acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh drem erf erfc exp exp2 expm1
    fabs fdim floor fma fmax fmin fmod fpclassify frexp gamma hypot ilogb isfinite isgreater isinf
    isless isnan isnormal isunordered j0 j1 jn ldexp lgamma llrint llround log log10 log1p log2 logb
    lrint lround modf nan nearbyint nextafter nexttoward pow remainder rint round scalb scalbln
    scalbn signbit signgam significand sin sinh sqrt tan tanh tgamma trunc y0 y1 yn std linux unix
    abort abs alloca atexit atof atoi atol atoll bcmp bcopy bsearch bzero cabs cacos cacosh calloc
    carg casin casinh catan catanh ccos ccosh cexp cimag clog conj cpow cproj creal csin csinh csqrt
    ctan ctanh clearerr difftime div errno exit exp10 fclose feof ferror fflush ffs fgetc fgets
    fopen fprintf fputc fputs fread free fscanf fseek ftell fwrite getc getchar getenv gets index
    isalnum isalpha isascii isblank iscntrl isdigit isgraph islower isprint ispunct isspace isupper
    isxdigit labs llabs ldiv lldiv malloc mblen memchr memcmp memcpy memmove memset mempcpy perror
    pow10 printf putc putchar puts qsort raise rand random realloc remove rename rewind rindex scanf
    setbuf signal sincos snprintf sprintf srand srandom sscanf stpcpy stpncpy strcasecmp strcat
    strchr strcmp strcpy strcspn strdup strerror strlen strncasecmp strncat strncmp strncpy strndup
    strpbrk strrchr strspn strstr strtod strtok strtol strtoul system time toascii tolower toupper
    ungetc vfprintf vprintf vsnprintf vsprintf write read open close
    isgreaterequal islessequal islessgreater math_errhandling assert DOMAIN EDOM EOF ERANGE HUGE
    INFINITY MAXFLOAT NAN NULL OVERFLOW PLOSS SING TLOSS UNDERFLOW X_TLOSS
    """.split()  # noqa: SIM905
)
# types of the headers, and what their macros begin with
_RESERVED = re.compile(r".*_t|(FP|M|HUGE|SIZE|U?INT(8|16|32|64|MAX|PTR)?)_.*")
_WIDE = 92


def checked_name(name: object) -> str:
    """`name` if a function of C can be called so; otherwise a ValueError or TypeError."""
    if not isinstance(name, str):
        raise TypeError(f"name must be a name of C; got {shown(name)}")
    of_math = name[:-1] if name[-1:] in ("f", "l") else name
    is_taken = name in _TAKEN or of_math in _TAKEN or _RESERVED.fullmatch(name)
    if not _IDENTIFIER.fullmatch(name) or is_taken:
        raise ValueError(
            f"name must be a name of C that is free: letters, digits and underscores; got {name!r}"
        )
    return name


def comment(lines: Iterable[str]) -> str:
    """A comment of these lines."""
    first, *others = map(_harmless, lines)
    return "/* " + "\n".join([first, *(f"   {line}".rstrip() for line in others)]) + " */\n"


def _harmless(text: str) -> str:
    """In one line of ASCII that ends no comment and begins none."""
    plain = text.encode("ascii", "backslashreplace").decode("ascii")
    plain = "".join(each if each.isprintable() else "?" for each in plain)
    return plain.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?").rstrip("\\")


def string(text: str) -> str:
    """A literal of C, in UTF-8."""
    return '"' + "".join(map(_escaped, text.encode("utf-8"))) + '"'


def _escaped(byte: int) -> str:
    each = chr(byte)
    return each if 32 <= byte < 127 and each not in '"\\?' else f"\\{byte:03o}"


def array(values: Array, real: str, indent: str = "    ") -> str:
    """The initializer of an array of one or two dimensions."""
    if values.ndim == 2:
        rows = ",\n".join(indent + array(row, real, indent + "    ") for row in values)
        return f"{{\n{rows}\n{indent[4:]}}}"
    return enclosed([c_number(each, real) for each in values.tolist()], indent)


def enclosed(texts: Iterable[str], indent: str = "    ") -> str:
    """Texts between braces, in as many lines as they need."""
    lines = [""]
    for text in texts:
        longer = f"{lines[-1]}{', ' if lines[-1] else ''}{text}"
        if len(longer) + len(indent) > _WIDE and lines[-1]:
            lines[-1] += ","
            lines.append(text)
        else:
            lines[-1] = longer
    if len(lines) == 1:
        return f"{{{lines[0]}}}"
    return "{\n" + "\n".join(f"{indent}    {line}" for line in lines) + f"\n{indent}}}"
