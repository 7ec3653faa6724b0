export const cart = () => "cart";
