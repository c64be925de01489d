"""What a module over SymPy begins and ends with, as text."""

CHOICE = '''

class where_{name}(sp.Function):
    """x where this {sign} other, otherwise y; SymPy's own takes long to look at nested ones."""

    nargs = 4

    @classmethod
    def eval(cls, this, other, x, y):
        if this.is_number and other.is_number:
            return x if this {sign} other else y

    def _eval_derivative(self, by):
        this, other, x, y = self.args
        return where_{name}(this, other, x.diff(by), y.diff(by))
'''
HELPERS = '''
DIGITS, POINTS, TOLERANCE, SHORT = 50, 3, sp.Float("{tolerance}"), 40
values = [{{}} for _ in range(POINTS)]  # of every name, at some points
defined, constant = {{}}, set()  # what names stand for, in order; and those that stay as they are
exact, numeric = [], []  # equations that are confirmed by algebra, and at the points


def given(names):
    """Symbols, with a number at every point."""
    chance, symbols = random.Random(names), sp.symbols(names, real=True, seq=True)
    for at in values:
        for each in symbols:
            at[each] = sp.Float(sp.Rational(chance.randint(-1500, 1500), 1000), DIGITS)
    return symbols


def named(name, stands_for, stays=False):
    """A symbol for what it stands for; that is no function of anything, if it stays."""
    symbol = sp.Symbol(name, real=True)
    defined[symbol] = stands_for
    constant.update({{symbol}} if stays else ())
    for at in values:
        at[symbol] = number(stands_for, at)
    return symbol


def number(expression, at):
    """What an expression is at a point."""
    return sp.sympify(expression).xreplace(at).evalf(DIGITS)


def partial(of, by):
    """The derivative by SymPy, through all that was named since."""
    for name in reversed(defined):
        if name == by:
            break
        of = of if name in constant else of.xreplace({{name: defined[name]}})
    return sp.diff(of, by)


def closed(name, function, slopes=()):
    """A function that is computed of numbers only, by its derivatives by arguments of some places;
    SymPy takes long to look into large ones again and again.
    """

    def evaluate(cls, *given):
        return function(*given) if all(each.is_number for each in given) else None

    def fdiff(self, place=1):
        return slopes[place](*self.args) if place in slopes else sp.Integer(0)

    return type(name, (sp.Function,), {{"eval": classmethod(evaluate), "fdiff": fdiff}})


def mean(of_a_sample):
    """The mean over the samples: what is equal for each is equal in the mean."""
    return of_a_sample


def same(line, before, after):
    """`after`, or an AssertionError that names the line unless it equals what stands before."""
    if before == after or sp.count_ops(before) < SHORT and sp.expand(before - after) == 0:
        exact.append(line)
        return after
    for at in values:
        left, right = number(before, at), number(after, at)
        assert abs(left - right) <= TOLERANCE * (1 + abs(left)), f"({{line}}): {{left}}, {{right}}"
    numeric.append(line)
    return after
'''
END = """

if __name__ == "__main__":
    print(f"{len(exact)} steps are confirmed by algebra, {len(numeric)} to {DIGITS} digits")
"""
