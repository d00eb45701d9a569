//! Symmetric systems of equations, solved by Cholesky's factorisation.
#![expect(clippy::float_arithmetic, reason = "a search; no amount is decided here")]

/// A symmetric positive matrix of `size` rows, row after row; only the part below the diagonal is kept true.
///
/// Of each row only what lies from its first value on is worked with: with the rows of few values first there are few.
#[derive(Debug, Default)]
pub(super) struct Matrix {
    size: usize,
    cells: Vec<f64>,
    /// By row: the column of its first value.
    starts: Vec<usize>,
}

impl Matrix {
    /// Empties the matrix.
    pub(super) fn reset(&mut self, size: usize) {
        self.size = size;
        self.cells.clear();
        self.cells.resize(size * size, 0.0);
        self.starts.clear();
        self.starts.extend(0..size);
    }

    /// Adds to the cell of this row and column, whichever is larger.
    pub(super) fn add(&mut self, row: usize, column: usize, value: f64) {
        let (row, column) = (row.max(column), row.min(column));
        self.cells[row * self.size + column] += value;
        self.starts[row] = self.starts[row].min(column);
    }

    /// Solves for the right side, which becomes the solution; the matrix becomes its factor. A row without a value of its
    /// own, or nearly so, gets `least` on its diagonal.
    pub(super) fn solve(&mut self, right: &mut [f64], least: f64) {
        let size = self.size;
        for row in 0..size {
            let (above, below) = self.cells.split_at_mut(row * size);
            let (current, start) = (&mut below[..=row], self.starts[row]);
            for column in start..row {
                let from = start.max(self.starts[column]);
                let other = &above[column * size..=column * size + column];
                let sum = dot(&current[from..column], &other[from..column]);
                current[column] = (current[column] - sum) / other[column];
            }
            let square = dot(&current[start..row], &current[start..row]);
            current[row] = (current[row] - square).max(least).sqrt();
        }
        for row in 0..size {
            let (cells, start) = (&self.cells[row * size..=row * size + row], self.starts[row]);
            right[row] = (right[row] - dot(&cells[start..row], &right[start..row])) / cells[row];
        }
        for row in (0..size).rev() {
            right[row] /= self.cells[row * size + row];
            let (value, start) = (right[row], self.starts[row]);
            for (right, cell) in right[start..row].iter_mut().zip(&self.cells[row * size + start..]) {
                *right -= cell * value;
            }
        }
    }
}

/// In four sums at once, in a fixed order: the same on every machine.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (fours, other_fours) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = fours.remainder().iter().zip(other_fours.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in fours.zip(other_fours) {
        for lane in 0..4 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_solution_solves() {
        let size = 11;
        let mut matrix = Matrix::default();
        matrix.reset(size);
        let mut rows = vec![vec![0.0; size]; size];
        for row in 0..size {
            for column in 0..row {
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                let weight = 1.0 + ((row * 7 + column * 3) % 5) as f64;
                for (r, c, w) in [(row, column, -weight), (row, row, weight), (column, column, weight)] {
                    matrix.add(r, c, w);
                    rows[r][c] += w;
                    if r != c {
                        rows[c][r] += w;
                    }
                }
            }
            matrix.add(row, row, 0.5);
            rows[row][row] += 0.5;
        }
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let wanted: Vec<f64> = (0..size).map(|i| i as f64 - 4.0).collect();
        let mut right: Vec<f64> = rows.iter().map(|row| row.iter().zip(&wanted).map(|(a, b)| a * b).sum()).collect();
        matrix.solve(&mut right, 1e-12);
        for (found, wanted) in right.iter().zip(&wanted) {
            assert!((found - wanted).abs() < 1e-9, "{found} {wanted}");
        }
    }
}
